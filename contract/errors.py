"""The base of every error whose message is meant for the user as it stands."""


class UserError(Exception):
    """Something the user can do something about; the message says what, where, and what to do."""

    @classmethod
    def names(cls) -> set[str]:
        """Names of this class and of all below it that are imported, for errors told by name."""
        return {cls.__name__}.union(*(below.names() for below in cls.__subclasses__()))
