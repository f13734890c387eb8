package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// errNoAddress does not quote the address, which may hold a key.
var errNoAddress = errors.New("is no web address: write https://host/path")

// URL parses an absolute web address: http or https, with a host. All configured
// addresses and all links are checked by it. Its error does not contain s.
func URL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errNoAddress
	}
	return u, nil
}

const maxLink = 2000 // bytes

// Link returns s, without a user and password, if it is a web address that a person may
// follow; otherwise "": also if it is longer than 2,000 bytes, or has characters in its host
// that no host has. What is not ASCII, or could end an address in a text, is percent-encoded.
func Link(s string) string {
	u, err := URL(s)
	if err != nil {
		return ""
	}
	if u.User = nil; !ascii(u.Host) {
		host, err := idna.Lookup.ToASCII(u.Hostname())
		if err != nil {
			return ""
		}
		port := u.Port()
		if u.Host = host; port != "" {
			u.Host = net.JoinHostPort(host, port)
		}
	}
	var b strings.Builder
	for _, c := range []byte(u.String()) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>`|", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	if b.Len() > maxLink {
		return ""
	}
	return b.String()
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

// Address returns an address without what may be secret in it: user, password, query and
// fragment.
func Address(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}
