// Package base has what all pages share: their colours, and what their scripts begin with.
package base

import (
	_ "embed"
	"slices"

	"github.com/hearth-home/hearth/shared/page/texts"
)

// Colours is the style sheet that declares the colours as variables, light and dark.
//
//go:embed colours.css
var Colours []byte

// Script is what the script of each page begins with: say, which returns texts, call, which sends a request with the token
// of the tab, post, which sends a form and asks the person for a token if one is needed, and
// morph, which brings an element up to date.
var Script = slices.Concat(say, texts.Script(requests), requests, morph)

//go:embed say.js
var say []byte

//go:embed requests.js
var requests []byte

//go:embed morph.js
var morph []byte
