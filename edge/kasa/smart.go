package kasa

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// smartState caches whether a plug with the new commands has sockets.
type smartState struct {
	known    bool // children is valid
	children bool // it has sockets
}

// errNotSmart means that a plug does not support the new commands.
var errNotSmart = errors.New("the plug does not support get_device_info")

type smartAnswer struct {
	ErrorCode int             `json:"error_code"`
	Result    json.RawMessage `json:"result"`
}

type smartInfo struct {
	DeviceID string   `json:"device_id"`
	Nickname string   `json:"nickname"` // base64
	Model    string   `json:"model"`
	DeviceOn *bool    `json:"device_on"`
	OnTime   *float64 `json:"on_time"`
	RSSI     float64  `json:"rssi"`
	Position int      `json:"position"`
}

// read queries the device, its sockets and their meters.
func (st *smartState) read(ctx context.Context, ask queryFunc) (plug, error) {
	var info smartInfo
	ok, err := smartCall(ctx, ask, "", "get_device_info", &info)
	if err != nil {
		return plug{}, err
	}
	if !ok {
		return plug{}, errNotSmart
	}
	p := plug{outlet: info.outlet(0), model: info.Model, rssi: info.RSSI}
	var list struct {
		Children []smartInfo `json:"child_device_list"`
	}
	if !st.known || st.children {
		if _, err := smartCall(ctx, ask, "", "get_child_device_list", &list); err != nil {
			return plug{}, err
		}
		st.known, st.children = true, len(list.Children) > 0
	}
	if len(list.Children) == 0 {
		p.values, err = smartMeter(ctx, ask, "")
		return p, err
	}
	for i, c := range list.Children {
		o := c.outlet(i + 1)
		if o.values, err = smartMeter(ctx, ask, c.DeviceID); err != nil {
			return plug{}, fmt.Errorf("socket %d: %w", o.number, err)
		}
		p.sockets = append(p.sockets, o)
	}
	return p, nil
}

func (i smartInfo) outlet(number int) outlet {
	alias, err := base64.StdEncoding.DecodeString(i.Nickname)
	if err != nil {
		alias = []byte(i.Nickname)
	}
	if i.Position > 0 {
		number = i.Position
	}
	return outlet{number: number, id: i.DeviceID, alias: string(alias), on: i.DeviceOn, onSeconds: i.OnTime}
}

// smartMeter returns the values of a meter. Older meters report only the power and the
// day's energy. Many plugs have no meter.
func smartMeter(ctx context.Context, ask queryFunc, child string) (map[string]float64, error) {
	var m meter
	ok, err := smartCall(ctx, ask, child, "get_emeter_data", &m)
	if err != nil {
		return nil, err
	}
	v := map[string]float64{}
	if ok {
		v = m.values()
	}
	var usage struct {
		CurrentPower *float64 `json:"current_power"` // mW
		TodayEnergy  *float64 `json:"today_energy"`  // Wh
	}
	if ok, err = smartCall(ctx, ask, child, "get_energy_usage", &usage); err != nil || !ok {
		return v, err
	}
	if _, has := v["power_watts"]; !has && usage.CurrentPower != nil {
		v["power_watts"] = *usage.CurrentPower / 1000
	}
	if usage.TodayEnergy != nil {
		v["today_energy_kwh"] = *usage.TodayEnergy / 1000
	}
	return v, nil
}

// smartCall calls a method of the device, or of the socket child if it is not empty, and
// decodes the result. It returns false if the device does not support the method.
func smartCall(ctx context.Context, ask queryFunc, child, method string, result any) (bool, error) {
	type call struct {
		Method string `json:"method"`
		Params any    `json:"params,omitempty"`
	}
	q := call{Method: method}
	if child != "" {
		q = call{"control_child", map[string]any{"device_id": child, "requestData": q}}
	}
	query, err := json.Marshal(q)
	if err != nil {
		return false, err
	}
	b, err := ask(ctx, query)
	if err != nil {
		return false, err
	}
	return parseSmart(b, child != "", result)
}

// parseSmart decodes the result in an answer. A socket's answer is in an envelope. It
// returns false if the answer is an error of the device.
func parseSmart(b []byte, child bool, result any) (bool, error) {
	var a smartAnswer
	err := json.Unmarshal(b, &a)
	if err == nil && child && a.ErrorCode == 0 {
		var envelope struct {
			ResponseData smartAnswer `json:"responseData"`
		}
		err = json.Unmarshal(a.Result, &envelope)
		a = envelope.ResponseData
	}
	if err == nil && a.ErrorCode == 0 && len(a.Result) > 0 {
		err = json.Unmarshal(a.Result, result)
	}
	if err != nil {
		return false, fmt.Errorf("the answer is not the expected JSON: %w", err)
	}
	return a.ErrorCode == 0 && len(a.Result) > 0, nil
}
