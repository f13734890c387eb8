package nut

import (
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind declares the kind for the agent.
var Kind = driver.Kind{
	Name: "nut", Via: driver.Network, Interval: 15 * time.Second, Deadline: 10 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
}

type settings struct{ Config }

// Where returns the server's host.
func (o *settings) Where() string { return o.Host }

// Open opens no connection: each Read opens one.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	if m.Host != nil {
		c.Host, c.Port = m.Host(s)
	}
	return driver.Opened(newDev(c)), nil
}
