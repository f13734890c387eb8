package mqttclient

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Kind is a kind of Problem, in one word for metrics.
type Kind string

// The kinds of problems.
const (
	NameUnknown   Kind = "name"          // no name server knows the broker's name, or none answers
	Refused       Kind = "refused"       // nothing listens at the address
	NoRoute       Kind = "no_route"      // no network leads to the address
	NoAnswer      Kind = "no_answer"     // nothing answers at the address, or not as a broker does
	Closed        Kind = "closed"        // the broker ends the connection without a reason
	Certificate   Kind = "certificate"   // the broker's certificate cannot be verified
	TLSNeeded     Kind = "tls_needed"    // the broker speaks TLS only
	NoTLS         Kind = "no_tls"        // the port speaks no TLS
	ClientCert    Kind = "client_cert"   // the broker wants a client certificate, or another one
	TLSFailed     Kind = "tls"           // any other error of TLS
	NotMQTT       Kind = "not_mqtt"      // the port belongs to something else
	Login         Kind = "login"         // the broker refuses user or password
	ClientID      Kind = "client_id"     // the broker refuses the client id
	ClientIDTaken Kind = "client_id_use" // another client uses the same id
	Protocol      Kind = "protocol"      // the broker refuses MQTT 3.1.1
	Unavailable   Kind = "unavailable"   // the broker says that it is not available
	Subscription  Kind = "subscription"  // the broker refuses a subscription
	Lost          Kind = "lost"          // an established connection broke
	Other         Kind = "other"
)

// Problem is why a client cannot use its broker. The zero Problem means that it can.
type Problem struct {
	Kind Kind
	Text string // what is wrong and what to do; it contains no secret
}

// waits reports whether the problem is likely to end without the owner's doing: a broker
// starts, a network comes back.
func (p Problem) waits() bool {
	return slices.Contains([]Kind{Refused, NoRoute, NoAnswer, Closed, Unavailable, Lost}, p.Kind)
}

// Explain returns the problem behind the error of an attempt to connect with the options of
// Access.Options. If something at the address takes connections and does not answer as a
// broker does, Explain asks it what else it is, which takes at most 4 s.
func (a Access) Explain(err error) Problem { return a.refine(a.explain(err)) }

// explain is Explain without a question to the server.
func (a Access) explain(err error) Problem {
	d := a.describer(err)
	for _, kind := range []func(*describer) (Kind, string){
		(*describer).answer, (*describer).foreign, (*describer).certificate, (*describer).tls, (*describer).network,
	} {
		if k, text := kind(d); k != "" {
			return Problem{k, text}
		}
	}
	return Problem{Other, fmt.Sprintf("connecting to %s failed: %s", d.at(), clip(err.Error()))}
}

// explainLoss returns the problem behind the error that ended an established connection.
func (a Access) explainLoss(err error) Problem {
	text := "the connection broke"
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "pingresp not received"): // the library has no error value for it
		text = "the broker did not answer a ping in time"
	case closedByPeer(err):
		text = "the broker closed it"
	default:
		text = clip(err.Error())
	}
	return Problem{Lost, text}
}

// inUse is the problem of two clients with one id, which the broker disconnects in turn.
func (a Access) inUse() Problem {
	return Problem{ClientIDTaken, fmt.Sprintf("the broker ended the connection %d times right after it began: another client probably has the same id %s: %s", maxQuickLosses, a.ClientID, a.IDAdvice)}
}

// refused is the problem of filters to which the broker allows no subscription.
func (a Access) refused(filters []string) Problem {
	who := "clients without a user"
	if a.User != "" {
		who = fmt.Sprintf("the user %q", a.User)
	}
	return Problem{Subscription, fmt.Sprintf("the broker refuses the subscription to %s: let %s read that in its access rules", strings.Join(filters, ", "), who)}
}

// describer describes one error.
type describer struct {
	a   Access
	u   *url.URL
	err error
}

func (a Access) describer(err error) *describer {
	d := &describer{a: a, err: err}
	if d.u, _ = ParseURL(a.URL); d.u == nil { // Options refuses it
		d.u = &url.URL{}
	}
	return d
}

// at is the address of the broker, as it is logged.
func (d *describer) at() string { return d.u.Redacted() }

// port is the host and port of the broker.
func (d *describer) port() string { return d.u.Host }

// secure reports whether the client speaks TLS.
func (d *describer) secure() bool {
	return d.u.Scheme == "wss" || slices.Contains(tlsSchemes, d.u.Scheme)
}

// other is the address with another scheme: tcp or ssl.
func (d *describer) other(scheme string) string {
	return scheme + "://" + net.JoinHostPort(d.u.Hostname(), d.u.Port())
}

// password names the secret with the password.
func (d *describer) password() string {
	return "the secret " + cmp.Or(d.a.Password.Name(), "mqtt-password") + " (with hearth up: MQTT_PASSWORD)"
}

// clip shortens a foreign text.
func clip(s string) string {
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
