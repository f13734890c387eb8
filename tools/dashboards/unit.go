package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// grafanaUnits are Grafana's names of units by the catalogue's symbols. Another unit is
// written behind the number as it is.
var grafanaUnits = map[string]string{
	"°C": units.Celsius, "K": units.Kelvin, "%": units.Percent, "hPa": units.Hectopascals, "ppm": units.PartsPerMillion, "ppb": units.PartsPerBillion,
	"µg/m³": units.MicrogramPerCubicMeter, "lx": units.Lux, "W": units.Watt, "VA": units.VoltAmpere, "var": units.VoltAmpereReactive, "kWh": units.KiloWattHour,
	"V": units.Volt, "A": units.Ampere, "Hz": units.Hertz, "rpm": units.RevolutionsPerMinute, "s": units.Seconds, "min": units.Minutes, "h": units.Hours,
	"B": units.BytesSI, "B/s": units.BytesPerSecondSI, "m": units.Meter, "mm": units.Millimeter, "m/s": units.MetersPerSecond, "°": units.Degrees,
	"l": units.Litre, "l/min": units.LitrePerMinute, "l/h": units.LitrePerHour, "g": units.Gram, "kg": units.Kilogram, "dB": units.Decibel, "dBm": units.DecibelMilliWatt,
	"$": units.Dollars,
}

// unit returns Grafana's name of a unit; "" if there is none.
func unit(symbol string) string {
	if name := grafanaUnits[symbol]; name != "" || symbol == "" {
		return name
	}
	return "suffix: " + symbol
}

// decimals returns how many digits stand behind the point; nil: as many as Grafana
// finds fit.
func decimals(f catalogue.Field) *float64 {
	if format := f.Format(); format.Fixed {
		return new(float64(format.Digits))
	}
	return nil
}
