"""What can go wrong with the embedded servers."""


class EmbeddedServiceError(Exception):
    """An embedded server could not be started; the message is meant for the terminal."""
