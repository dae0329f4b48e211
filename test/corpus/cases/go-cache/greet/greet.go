package greet

// Text greets.
func Text(name string) string { return "hello " + name }
