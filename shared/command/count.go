package command

import "fmt"

// Count returns a number with its noun: "1 reading", "2 readings".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
