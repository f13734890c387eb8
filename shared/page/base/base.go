// Package base has what all pages share: their colours, and requests with a token.
package base

import _ "embed"

// Colours is the style sheet that declares the colours as variables, light and dark.
//
//go:embed colours.css
var Colours []byte

// Requests is the script with call, which sends a request with the token of the tab, and post,
// which sends a form and asks the person for a token if one is needed.
//
//go:embed requests.js
var Requests []byte
