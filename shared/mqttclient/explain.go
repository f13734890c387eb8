package mqttclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/hearth-home/hearth/shared/certificate"
)

// answer describes a broker that refuses the client (MQTT 3.1.1, 3.2.2.3).
func (d *describer) answer() (Kind, string) {
	switch {
	case errors.Is(d.err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(d.err, packets.ErrorRefusedNotAuthorised):
		switch {
		case d.a.User == "" && !d.a.Password.Present():
			return Login, "the broker requires a user and a password: set MQTT_USER and " + d.password()
		case !d.a.Password.Present():
			return Login, fmt.Sprintf("the broker refuses the user %q without a password: set %s", d.a.User, d.password())
		}
		return Login, fmt.Sprintf("the broker refuses the user %q or its password: check MQTT_USER and %s", d.a.User, d.password())
	case errors.Is(d.err, packets.ErrorRefusedIDRejected):
		return ClientID, fmt.Sprintf("the broker refuses the client id %s: %s", d.a.ClientID, d.a.IDAdvice)
	case errors.Is(d.err, packets.ErrorRefusedServerUnavailable):
		return Unavailable, "the broker says that it is not available: it may be starting or overloaded; see its log"
	case errors.Is(d.err, packets.ErrorRefusedBadProtocolVersion):
		return Protocol, "the broker refuses MQTT 3.1.1: allow this version there"
	}
	return "", ""
}

// foreign describes what is no MQTT broker, or does not answer this client as one.
func (d *describer) foreign() (Kind, string) {
	f, ok := errors.AsType[foreignError](d.err)
	first := string(f)
	switch {
	case ok && len(first) > 1 && first[0] == tlsAlert && first[1] == tlsMajor:
		return TLSNeeded, d.tlsNeeded()
	case ok && strings.HasPrefix(first, http1):
		return NotMQTT, d.webServer()
	case ok:
		return NotMQTT, fmt.Sprintf("%s answers with %q, which is not MQTT: check the port in MQTT_URL", d.port(), first)
	case strings.Contains(d.err.Error(), "bad handshake"): // of the websocket library, whose error the MQTT library does not wrap
		return NotMQTT, fmt.Sprintf("the web server at %s offers no MQTT over WebSocket there: check port and path in MQTT_URL", d.at())
	}
	return "", ""
}

func (d *describer) tlsNeeded() string {
	return fmt.Sprintf("%s speaks TLS only: write %s in MQTT_URL", d.port(), d.other("ssl"))
}

func (d *describer) webServer() string {
	return fmt.Sprintf("a web server answers at %s, not an MQTT broker: check the port in MQTT_URL; MQTT over WebSocket needs ws:// or wss://", d.port())
}

// certificate describes a certificate of the broker that cannot be verified.
func (d *describer) certificate() (Kind, string) {
	broker := certificate.Server{Host: d.port(), Address: "MQTT_URL", Authority: "MQTT_CA_FILE", Own: d.a.CAFile != ""}
	if text := broker.Explain(d.err); text != "" {
		return Certificate, text
	}
	return "", ""
}

// tls describes any other failure of TLS.
func (d *describer) tls() (Kind, string) {
	_, plain := errors.AsType[tls.RecordHeaderError](d.err)
	_, shaking := errors.AsType[handshakeError](d.err)
	plain = plain || shaking && closedByPeer(d.err)
	switch alert := d.alert(); {
	case plain && d.u.Scheme == "wss":
		return NoTLS, fmt.Sprintf("%s speaks no TLS: write ws:// in MQTT_URL, or the port of the broker's TLS listener", d.port())
	case plain:
		return NoTLS, fmt.Sprintf("%s speaks no TLS: write %s in MQTT_URL, or the port of the broker's TLS listener, which is usually 8883", d.port(), d.other("tcp"))
	case alert == "":
	case d.a.CertFile == "" && isAbout(alert, "certificate required", "bad certificate", "handshake failure"):
		return ClientCert, "the broker requires a client certificate: set MQTT_CERT_FILE and MQTT_KEY_FILE"
	case d.a.CertFile != "" && isAbout(alert, "certificate", "handshake failure"):
		return ClientCert, fmt.Sprintf("the broker refuses the client certificate in MQTT_CERT_FILE (%s): it must be valid, and signed by an authority that the broker trusts", alert)
	default:
		return TLSFailed, fmt.Sprintf("%s ended the connection by the TLS alert %q: see the broker's log", d.port(), alert)
	}
	if shaking && !isTimeout(d.err) {
		return TLSFailed, fmt.Sprintf("TLS with %s failed: %s", d.port(), clip(d.err.Error()))
	}
	return "", ""
}

// alert is the TLS alert that the broker sent, or "". TLS 1.3 asks for the client's
// certificate after the client's part of the handshake: the alert may come later.
func (d *describer) alert() string {
	for err := d.err; ; {
		e, ok := errors.AsType[*net.OpError](err)
		if !ok {
			return ""
		}
		if e.Op == "remote error" { // crypto/tls has no type for it
			return strings.TrimPrefix(e.Err.Error(), "tls: ")
		}
		err = e.Err
	}
}

func isAbout(alert string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(alert, w) {
			return true
		}
	}
	return false
}

// network describes an address that cannot be reached, or that does not answer.
func (d *describer) network() (Kind, string) {
	if e, ok := errors.AsType[*net.DNSError](d.err); ok {
		if e.IsNotFound {
			return NameUnknown, fmt.Sprintf("no name server knows %q: check the host in MQTT_URL", e.Name)
		}
		return NameUnknown, fmt.Sprintf("no name server answers for %q: check this machine's network and name server", e.Name)
	}
	dialling := false
	if e, ok := errors.AsType[*net.OpError](d.err); ok {
		dialling = e.Op == "dial"
	}
	switch {
	case errors.Is(d.err, syscall.ECONNREFUSED):
		return Refused, fmt.Sprintf("nothing listens at %s: start the broker, or check host and port in MQTT_URL", d.port())
	case errors.Is(d.err, syscall.EHOSTUNREACH), errors.Is(d.err, syscall.ENETUNREACH), errors.Is(d.err, syscall.ENETDOWN), errors.Is(d.err, syscall.EHOSTDOWN):
		return NoRoute, fmt.Sprintf("no network leads to %s: check the host in MQTT_URL, and whether it is switched on and in this network", d.port())
	case isTimeout(d.err) && dialling:
		return NoAnswer, fmt.Sprintf("nothing answers at %s: check host and port in MQTT_URL, and the firewalls in between", d.port())
	case isTimeout(d.err):
		return NoAnswer, fmt.Sprintf("%s takes connections and does not answer as an MQTT broker: check the port in MQTT_URL, and whether the broker hangs", d.port())
	case closedByPeer(d.err) && d.secure():
		return Closed, fmt.Sprintf("%s closes the connection without an answer: it may require a client certificate (MQTT_CERT_FILE), or refuse this client; see the broker's log", d.port())
	case closedByPeer(d.err):
		return Closed, fmt.Sprintf("%s closes the connection without an answer: it may expect TLS (ssl:// in MQTT_URL), or refuse this client; see the broker's log", d.port())
	}
	return "", ""
}

// isTimeout reports whether an attempt took too long.
func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT)
}

// closedByPeer reports whether the other side ended the connection.
func closedByPeer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}
