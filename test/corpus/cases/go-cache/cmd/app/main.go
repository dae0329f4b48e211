package main

import (
	"fmt"

	"example.test/app/greet"
)

func main() { fmt.Println(greet.Text("corpus")) }
