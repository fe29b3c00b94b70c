"""Text to plain data and back: the strict YAML 1.2 reader, its writer, and where shipped files lie."""
