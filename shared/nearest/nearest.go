// Package nearest finds the name that a mistyped word was probably meant to be.
package nearest

import "strings"

const longest = 40 // letters of a word or name; a longer one is like no other

// Of returns the one of names that text was probably meant to be, "" where none
// is near. Upper and lower case are the same.
func Of(text string, names []string) string {
	word := []rune(strings.ToLower(text))
	if len(word) > longest {
		return ""
	}
	best, least := "", 2+len(word)/4
	for _, name := range names {
		letters := []rune(strings.ToLower(name))
		if len(letters) > longest {
			continue
		}
		if d := distance(word, letters); d < least && d < max(len(word), len(letters)) { // something is the same
			best, least = name, d
		}
	}
	return best
}

// distance is how many letters are added, left out, changed or swapped with their
// neighbour (optimal string alignment).
func distance(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
