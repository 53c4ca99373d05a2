"""What the API refuses, in its order: the shape of the body, the turns, then what the model and the version allow."""
