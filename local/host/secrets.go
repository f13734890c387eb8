package host

import (
	"fmt"
	"os"
	"strings"
)

// sampleSecret is the placeholder for a missing key; only the sample server receives it.
const sampleSecret = "no-key-sample-only"

// AuthoritySecret is the secret with the certificate of the authority that signed InfluxDB's.
// A certificate has several lines, so that AuthorityFile, a variable with the name of a file,
// sets it too.
const (
	AuthoritySecret = "influx-ca"
	AuthorityFile   = "INFLUX_CA_FILE"
)

// Value returns the value that the user has set for a secret, "" for none. The error names
// the variable whose file cannot be read.
func Value(vars map[string]string, secret string) (string, error) {
	v, file := vars[Variable(secret)], vars[AuthorityFile]
	if v != "" || secret != AuthoritySecret || file == "" {
		return v, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", AuthorityFile, err)
	}
	return string(b), nil
}

// Variable returns the variable in which the user sets a secret: OPENWEATHER_KEY for
// openweather-key.
func Variable(secret string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(secret))
}
