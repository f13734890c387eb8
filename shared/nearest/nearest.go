// Package nearest finds the name that a mistyped word was probably meant to be.
package nearest

import (
	"slices"
	"strings"
)

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

// Typo returns the one of names that text is with a typing mistake: one letter is wrong, or
// two of twelve or more. It is for places that hold names of others, too: a name of fewer
// than eight letters, or one that differs more, may be theirs. "": text is one of names, or
// none is so near. Upper and lower case are the same, and so are - and _.
func Typo(text string, names []string) string {
	fold := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "_")) }
	word := []rune(fold(text))
	if len(word) < 8 || len(word) > longest || slices.Contains(names, text) {
		return ""
	}
	best, least := "", 2+len(word)/12
	for _, name := range names {
		letters := []rune(fold(name))
		if len(letters) < 8 || len(letters) > longest {
			continue
		}
		if d := distance(word, letters); d < least {
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
