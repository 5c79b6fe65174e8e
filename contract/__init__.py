"""What all rooms share: settings, the envelope of a landed push, the base of errors, progress."""
