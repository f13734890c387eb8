package kasa

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// queryFunc sends a query and returns the answer, both JSON.
type queryFunc func(ctx context.Context, query []byte) ([]byte, error)

// iotAnswer holds the fields that are used from the answers to the old commands
// get_sysinfo and get_realtime.
type iotAnswer struct {
	System struct {
		Sysinfo sysinfo `json:"get_sysinfo"`
	} `json:"system"`
	Emeter struct {
		Realtime meter  `json:"get_realtime"`
		ErrCode  int    `json:"err_code"`
		ErrMsg   string `json:"err_msg"`
	} `json:"emeter"`
}

type sysinfo struct {
	ErrCode    int     `json:"err_code"`
	ErrMsg     string  `json:"err_msg"`
	Alias      string  `json:"alias"`
	Model      string  `json:"model"`
	DeviceID   string  `json:"deviceId"`
	Feature    string  `json:"feature"` // contains ENE if the plug has a meter
	RelayState *int    `json:"relay_state"`
	OnTime     float64 `json:"on_time"`
	RSSI       float64 `json:"rssi"`
	Children   []struct {
		ID     string  `json:"id"`
		Alias  string  `json:"alias"`
		State  int     `json:"state"`
		OnTime float64 `json:"on_time"`
	} `json:"children"`
}

// meter holds a meter's values. Which of them are set depends on the plug's units.
type meter struct {
	ErrCode   int      `json:"err_code"`
	Power     *float64 `json:"power"`
	PowerMW   *float64 `json:"power_mw"`
	Voltage   *float64 `json:"voltage"`
	VoltageMV *float64 `json:"voltage_mv"`
	Current   *float64 `json:"current"`
	CurrentMA *float64 `json:"current_ma"`
	Total     *float64 `json:"total"`
	TotalWH   *float64 `json:"total_wh"`
	EnergyWH  *float64 `json:"energy_wh"` // of plugs with the new commands
}

const iotQuery = `{"system":{"get_sysinfo":{}},"emeter":{"get_realtime":{}}}`

// readIOT reads a plug or strip by the old commands.
func readIOT(ctx context.Context, ask queryFunc) (plug, error) {
	a, err := askIOT(ctx, ask, iotQuery)
	if err != nil {
		return plug{}, err
	}
	info := a.System.Sysinfo
	if info.ErrCode != 0 || info.Model == "" && info.DeviceID == "" {
		return plug{}, fmt.Errorf("get_sysinfo: the plug returned error %d %.60q", info.ErrCode, info.ErrMsg)
	}
	metered := strings.Contains(info.Feature, "ENE")
	p := plug{
		outlet:  outlet{alias: info.Alias, onSeconds: &info.OnTime, values: a.Emeter.Realtime.values()},
		model:   info.Model,
		rssi:    info.RSSI,
		metered: metered,
	}
	if info.RelayState != nil {
		on := *info.RelayState == 1
		p.on = &on
	}
	for i, c := range info.Children {
		on := c.State == 1
		o := outlet{number: i + 1, id: childID(info.DeviceID, c.ID), alias: c.Alias, on: &on, onSeconds: &c.OnTime}
		if metered {
			a, err := askIOT(ctx, ask, `{"context":{"child_ids":[`+strconv.Quote(o.id)+`]},"emeter":{"get_realtime":{}}}`)
			if err != nil {
				return plug{}, fmt.Errorf("socket %d: %w", i+1, err)
			}
			o.values = a.Emeter.Realtime.values()
		}
		p.sockets = append(p.sockets, o)
	}
	return p, nil
}

// childID returns the full id of a socket. Some strips list only its last two digits.
func childID(device, child string) string {
	if len(child) <= 2 {
		return device + fmt.Sprintf("%02s", child)
	}
	return child
}

func askIOT(ctx context.Context, ask queryFunc, query string) (a iotAnswer, err error) {
	b, err := ask(ctx, []byte(query))
	if err != nil {
		return a, err
	}
	return parseIOT(b)
}

func parseIOT(b []byte) (a iotAnswer, err error) {
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("the answer is not the expected JSON: %w", err)
	}
	return a, nil
}

// values converts a meter's values to fields, by the unit in each key.
func (m meter) values() map[string]float64 {
	v := map[string]float64{}
	if m.ErrCode != 0 {
		return v
	}
	put := func(key string, plain, milli *float64) {
		switch {
		case milli != nil:
			v[key] = *milli / 1000
		case plain != nil:
			v[key] = *plain
		}
	}
	put("power_watts", m.Power, m.PowerMW)
	put("voltage_volts", m.Voltage, m.VoltageMV)
	put("current_amperes", m.Current, m.CurrentMA)
	put("energy_kwh", m.Total, m.TotalWH)
	if _, ok := v["energy_kwh"]; !ok {
		put("energy_kwh", nil, m.EnergyWH)
	}
	return v
}
