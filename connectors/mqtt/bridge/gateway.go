package bridge

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hearth-home/hearth/shared/certificate"
	"github.com/hearth-home/hearth/shared/config"
)

// checkGateway returns an error if the gateway's address is invalid. The error does not
// quote the address, which may contain a password.
func (c Config) checkGateway() error {
	switch u, err := config.URL(c.Gateway); {
	case err != nil:
		return errors.New("configuration: GATEWAY_URL is not an address such as http://gateway.openfaas:8080")
	case u.User != nil:
		return errors.New("configuration: GATEWAY_URL must not contain user and password: use the secrets basic-auth-user and basic-auth-password")
	}
	return nil
}

// gatewayAuthorities returns the authorities that may have signed the gateway's
// certificate; nil: the system's.
func (c Config) gatewayAuthorities() (*x509.CertPool, error) {
	if c.GatewayCA == "" {
		return nil, nil
	}
	if !strings.HasPrefix(strings.ToLower(c.Gateway), "https:") {
		return nil, errors.New("configuration: GATEWAY_CA_FILE is set, but GATEWAY_URL begins with http://, which uses no TLS: write https://, or remove GATEWAY_CA_FILE")
	}
	pem, err := os.ReadFile(c.GatewayCA)
	if err != nil {
		return nil, fmt.Errorf("configuration: GATEWAY_CA_FILE: %w", err)
	}
	return certificate.Authorities("configuration: GATEWAY_CA_FILE: "+c.GatewayCA, pem)
}
