"""The one error for what a user gave and can put right."""


class InputError(ValueError):
    """Something given from outside cannot be used.

    The message names the file (when there is one), the value found and what was expected. The command line prints it
    without a traceback and exits with status 1; library users may catch it as ``ValueError``.
    """
