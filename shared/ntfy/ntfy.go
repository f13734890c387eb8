// Package ntfy sends notifications to telephones through a server of ntfy.
package ntfy

import "github.com/hearth-home/hearth/shared/secret"

// Config says where notifications are sent. Without an address and a topic, ntfy is not
// configured.
type Config struct {
	URL   string        `env:"NTFY_URL"`                                  // address of the server: https://ntfy.home.lan
	Topic string        `env:"NTFY_TOPIC"`                                // name of the topic. On a public server, who knows it reads it: choose one that nobody guesses
	Token secret.String `env:"NTFY_TOKEN_SECRET" envDefault:"ntfy-token"` // secret with an access token (tk_…) that may publish there; empty: none is needed
}
