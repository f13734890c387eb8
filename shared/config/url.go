package config

import (
	"errors"
	"net/url"
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

// Link returns s, without a user and password, if it is a web address that a person may
// follow; otherwise "".
func Link(s string) string {
	u, err := URL(s)
	if err != nil {
		return ""
	}
	if u.User == nil {
		return s
	}
	u.User = nil
	return u.String()
}

// Address returns an address without what may be secret in it: user, password, query and
// fragment.
func Address(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}
