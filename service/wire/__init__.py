"""The JSON objects of the API, and their conversion from Citewire's values."""
