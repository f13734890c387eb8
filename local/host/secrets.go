package host

import "strings"

// sampleSecret is the placeholder for a missing key; only the sample server receives it.
const sampleSecret = "no-key-sample-only"

// Variable returns the variable in which the user sets a secret: OPENWEATHER_KEY for
// openweather-key.
func Variable(secret string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(secret))
}
