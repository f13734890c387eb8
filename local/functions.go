package local

import "github.com/hearth-home/hearth/local/host"

//go:generate go run ./generate

// functions holds the functions' builders by name. functions_gen.go, which
// git ignores, fills it in from the stack files.
var functions = map[string]host.Builder{}
