"""The rooms of the console that are about people and keys, and the frame that all rooms stand in."""
