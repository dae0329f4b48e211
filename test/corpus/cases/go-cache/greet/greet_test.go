package greet

import "testing"

func TestText(t *testing.T) {
	if Text("x") != "hello x" {
		t.Fail()
	}
}
