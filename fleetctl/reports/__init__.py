"""Machine text from results. Pure: a result and a stream, no terminal."""
