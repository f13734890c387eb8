package local

import "github.com/hearth-home/hearth/local/host"

//go:generate go run ./generate

// functions are the builders of the functions by name. functions_gen.go, which
// git ignores, fills it in from the stack files.
var functions = map[string]host.Builder{}
