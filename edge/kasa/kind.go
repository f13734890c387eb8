package kasa

import (
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind declares the kind for the agent.
var Kind = driver.Kind{
	Name: "kasa", Via: driver.Network, Interval: 30 * time.Second, Every: 10 * time.Second, Combine: "mean", Deadline: 15 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
}

type settings struct{ Config }

// Where returns the plug's host.
func (o *settings) Where() string { return o.Host }

// Check reports a PROTOCOL that does not exist.
func (o *settings) Check() error {
	_, err := newDev(o.Config)
	return err
}

// Open opens no connection: each Read opens one.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	if m.Host != nil {
		c.Host, c.Port = m.Host(s)
	}
	d, err := newDev(c)
	return driver.Opened(d), err
}
