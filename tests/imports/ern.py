"""Release messages for the tests, in the shapes of ERN 4 and of ERN 3.8."""

from __future__ import annotations

from collections.abc import Sequence

ERN4, ERN38 = "http://ddex.net/xml/ern/43", "http://ddex.net/xml/ern/382"


def message(
    recordings: str,
    releases: str = "",
    parties: str = "",
    *,
    namespace: str = ERN4,
    more: str = "",
    head: str = "",
) -> str:
    """Return a NewReleaseMessage of these parts."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<ern:NewReleaseMessage xmlns:ern="{namespace}">'
        "<MessageHeader><MessageId>m1</MessageId><MessageSender><PartyId>PADPIDA1</PartyId></MessageSender>"
        f"</MessageHeader>{more}<PartyList>{parties}</PartyList>"
        f"<ResourceList>{recordings}</ResourceList><ReleaseList>{releases}</ReleaseList></ern:NewReleaseMessage>"
    )


def recording(
    reference: str = "A1", isrcs: Sequence[str] = ("GBAYE6500521",), title: str | None = None, more: str = ""
) -> str:
    """Return a recording of ERN 4.3."""
    ids = "".join(f"<ISRC>{isrc}</ISRC>" for isrc in isrcs)
    shown = title if title is not None else "<DisplayTitle><TitleText>One</TitleText></DisplayTitle>"
    return (
        f"<SoundRecording><ResourceReference>{reference}</ResourceReference><SoundRecordingEdition>"
        f"<ResourceId>{ids}</ResourceId></SoundRecordingEdition>{shown}"
        f"<DisplayArtistName>Ana</DisplayArtistName>{more}</SoundRecording>"
    )


def release(groups: str, more: str = "", ident: str = "<ICPN>094631432057</ICPN>") -> str:
    """Return a release of ERN 4.3."""
    return (
        f"<Release><ReleaseReference>R0</ReleaseReference><ReleaseId>{ident}</ReleaseId>"
        "<DisplayTitle><TitleText>Night Shift</TitleText></DisplayTitle>"
        f"<DisplayArtistName>The Lanterns</DisplayArtistName>{more}{groups}</Release>"
    )


def item(reference: str, number: int | None = None, kind: str = "") -> str:
    """Return a resource's position in a group."""
    sequence = "" if number is None else f"<SequenceNumber>{number}</SequenceNumber>"
    attribute = f' ReleaseResourceType="{kind}"' if kind else ""
    return (
        f"<ResourceGroupContentItem>{sequence}<ReleaseResourceReference{attribute}>{reference}"
        "</ReleaseResourceReference></ResourceGroupContentItem>"
    )


def group(*inner: str, number: int | None = None, kind: str = "") -> str:
    """Return a group of positions or of groups."""
    sequence = "" if number is None else f"<SequenceNumber>{number}</SequenceNumber>"
    attribute = f' ResourceGroupType="{kind}"' if kind else ""
    return f"<ResourceGroup{attribute}>{sequence}{''.join(inner)}</ResourceGroup>"


def party(reference: str, name: str) -> str:
    return (
        f"<Party><PartyReference>{reference}</PartyReference><PartyName><FullName>{name}</FullName></PartyName></Party>"
    )


OLD_RECORDING = """
<SoundRecording>
  <SoundRecordingType>MusicalWorkSoundRecording</SoundRecordingType>
  <SoundRecordingId><ISRC>GB-AYE-65-00521</ISRC></SoundRecordingId>
  <ResourceReference>A1</ResourceReference>
  <ReferenceTitle><TitleText>Harbour Song</TitleText><SubTitle>Live at the Pier</SubTitle></ReferenceTitle>
  <Duration>PT0H3M5.5S</Duration>
  <SoundRecordingDetailsByTerritory>
    <TerritoryCode>DE</TerritoryCode>
    <Title TitleType="DisplayTitle"><TitleText>Hafenlied</TitleText></Title>
    <DisplayArtist><PartyName><FullName>Die Laternen</FullName></PartyName></DisplayArtist>
  </SoundRecordingDetailsByTerritory>
  <SoundRecordingDetailsByTerritory>
    <TerritoryCode>Worldwide</TerritoryCode>
    <Title TitleType="FormalTitle"><TitleText>Song of the Harbour</TitleText></Title>
    <Title TitleType="DisplayTitle"><TitleText>Harbour Song</TitleText><SubTitle>Live at the Pier</SubTitle></Title>
    <DisplayArtist SequenceNumber="2"><PartyName><FullName>Bo</FullName></PartyName>
      <ArtistRole>FeaturedArtist</ArtistRole></DisplayArtist>
    <DisplayArtist SequenceNumber="1"><PartyName><FullName>The Lanterns</FullName></PartyName>
      <ArtistRole>MainArtist</ArtistRole></DisplayArtist>
  </SoundRecordingDetailsByTerritory>
</SoundRecording>
"""

OLD_RELEASES = """
<Release IsMainRelease="true">
  <ReleaseId><ICPN IsEan="true">4988006110809</ICPN></ReleaseId>
  <ReleaseReference>R0</ReleaseReference>
  <ReferenceTitle><TitleText>Night Shift</TitleText></ReferenceTitle>
  <ReleaseResourceReferenceList><ReleaseResourceReference>A1</ReleaseResourceReference></ReleaseResourceReferenceList>
  <ReleaseType>Album</ReleaseType>
  <ReleaseDetailsByTerritory>
    <TerritoryCode>Worldwide</TerritoryCode>
    <DisplayArtistName>The Lanterns</DisplayArtistName>
    <Genre><GenreText>Rock</GenreText></Genre>
    <OriginalReleaseDate>1999-05</OriginalReleaseDate>
    <ResourceGroup>
      <ResourceGroup><Title TitleType="GroupingTitle"><TitleText>Component 2</TitleText></Title>
        <SequenceNumber>2</SequenceNumber>
        <ResourceGroupContentItem><SequenceNumber>7</SequenceNumber>
          <ReleaseResourceReference ReleaseResourceType="PrimaryResource">A1</ReleaseResourceReference>
        </ResourceGroupContentItem>
      </ResourceGroup>
    </ResourceGroup>
  </ReleaseDetailsByTerritory>
</Release>
<Release>
  <ReleaseId><ProprietaryId Namespace="DPID:PADPIDA1">t1</ProprietaryId></ReleaseId>
  <ReleaseReference>R1</ReleaseReference>
  <ReferenceTitle><TitleText>Harbour Song</TitleText></ReferenceTitle>
  <ReleaseResourceReferenceList><ReleaseResourceReference>A1</ReleaseResourceReference></ReleaseResourceReferenceList>
  <ReleaseType>TrackRelease</ReleaseType>
</Release>
"""
