"""The objects on the wire, and their conversion from the library's."""
