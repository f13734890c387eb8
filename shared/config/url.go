package config

import (
	"errors"
	"net/url"
)

// errNoAddress does not quote what it is about: an address may hold a key.
var errNoAddress = errors.New("is no web address: write https://host/path")

// URL reads a web address, whole: with http or https and a host. It is the one
// check of every address that is configured, or linked to.
func URL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errNoAddress
	}
	return u, nil
}
