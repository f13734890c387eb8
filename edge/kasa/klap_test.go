package kasa

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

func TestFaultsOfKLAP(t *testing.T) {
	for name, tt := range map[string]struct {
		fault sim.Fault
		err   string
	}{
		"slow":              {sim.Slow, ""},
		"a cut answer":      {sim.Torn, "cannot be decrypted"},
		"a garbled answer":  {sim.Noise, "the answer "}, // one in 256 has a valid padding: then it is not JSON
		"sessions refused":  {sim.NACK, "ended the session"},
		"every second ends": {sim.NACK | 1<<31, ""},
	} {
		t.Run(name, func(t *testing.T) {
			plug := sim.NewKasa(0, 1, sim.NewFast(20))
			if tt.fault>>31 != 0 {
				plug.SetEvery(sim.NACK, 2)
			} else {
				plug.Set(tt.fault)
			}
			s, err := klapDev(t, plug, sim.KLAP{Version: 1}, Config{}).Read(t.Context())
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %+v, %v; want an error with %q", s, err, tt.err)
			}
		})
	}
}

func TestANewHandshakeAfterThePlugRestarted(t *testing.T) {
	plug := sim.NewKasa(0, 1, sim.NewVirtual())
	d := klapDev(t, plug, sim.KLAP{Version: 2, Smart: true}, Config{})
	for range 3 {
		s, err := d.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		plausible(t, s)
		plug.EndSessions()
	}
}

func TestCredentials(t *testing.T) {
	for name, tt := range map[string]struct {
		user, pass string // what the plug takes
		ours       [2]string
		ok         bool
	}{
		"the account's":         {"user@example.com", "secret", [2]string{"user@example.com", "secret"}, true},
		"of a plug never bound": {"", "", [2]string{"user@example.com", "secret"}, true},
		"of a plug being set up": {
			"kasa@tp-link.net", "kasaSetup", [2]string{"user@example.com", "secret"}, true,
		},
		"another password":   {"user@example.com", "secret", [2]string{"user@example.com", "Secret"}, false},
		"another user name":  {"user@example.com", "secret", [2]string{"User@example.com", "secret"}, false},
		"nothing configured": {"user@example.com", "secret", [2]string{"", ""}, false},
	} {
		for _, version := range []int{1, 2} {
			t.Run(name+", version "+strconv.Itoa(version), func(t *testing.T) {
				plug := sim.NewKasa(0, 1, sim.NewVirtual())
				port := served(t, func(ctx context.Context, addr string) (string, <-chan struct{}, error) {
					return plug.ServeKLAP(ctx, addr, sim.KLAP{Version: version, Username: tt.user, Password: tt.pass})
				})
				d := open(t, Config{Protocol: "klap", KLAPPort: port, Username: tt.ours[0], Password: password(t, tt.ours[1])})
				_, err := d.Read(t.Context())
				if tt.ok && err != nil || !tt.ok && !errors.Is(err, errCredentials) {
					t.Errorf("err = %v", err)
				}
				if err != nil && strings.Contains(err.Error(), tt.ours[1]) && tt.ours[1] != "" {
					t.Errorf("the password is in the error: %v", err)
				}
			})
		}
	}
}

func TestAutoFindsTheProtocol(t *testing.T) {
	_, port, _ := net.SplitHostPort(free.Addr(t))
	unusedPort, _ := strconv.Atoi(port)
	plug := sim.NewKasa(0, 1, sim.NewVirtual())
	klapPort := served(t, func(ctx context.Context, addr string) (string, <-chan struct{}, error) {
		return plug.ServeKLAP(ctx, addr, sim.KLAP{Version: 2, Smart: true})
	})
	for name, cfg := range map[string]Config{
		"legacy": {Protocol: "auto", Port: served(t, plug.Serve), KLAPPort: unusedPort},
		"klap":   {Protocol: "auto", Port: unusedPort, KLAPPort: klapPort},
	} {
		d := open(t, cfg)
		for range 2 {
			if s, err := d.Read(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			} else {
				plausible(t, s)
			}
		}
	}
	d := open(t, Config{Protocol: "auto", Port: unusedPort, KLAPPort: unusedPort})
	if _, err := d.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "legacy") || !strings.Contains(err.Error(), "KLAP") {
		t.Errorf("err = %v, want one that names both protocols", err)
	}
}
