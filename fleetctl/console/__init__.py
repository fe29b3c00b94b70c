"""What a person sees. Takes typed results and a stream; words first, colour never alone."""
