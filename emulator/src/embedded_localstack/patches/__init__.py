"""Where LocalStack 4.14 differs from AWS, or writes outside its folder, in ways that matter here: one module each."""
