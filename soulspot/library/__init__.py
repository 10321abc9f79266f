"""The library room: reads audio files and import files into values; knows neither database nor network."""
