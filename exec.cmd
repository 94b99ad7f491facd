@rem What "exec" is to a POSIX shell in the scripts of package.json, for cmd.exe, which has no such word.
@%*
