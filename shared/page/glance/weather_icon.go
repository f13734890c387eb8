package glance

import (
	"html/template"
	"strings"

	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/reading"
)

// The shapes that icons are made of, in a box of 24 by 24.
const (
	sunShape   = `<circle cx="12" cy="12" r="4.6" class="isun"/><path class="iray" d="M12 2v3M12 19v3M2 12h3M19 12h3M4.9 4.9 7 7M17 17l2.1 2.1M4.9 19.1 7 17M17 7l2.1-2.1"/>`
	moonShape  = `<path class="imoon" d="M15.5 3.2A9 9 0 1 0 20.8 15.4 7.3 7.3 0 0 1 15.5 3.2Z"/>`
	halfSun    = `<circle cx="15.5" cy="8.5" r="3.6" class="isun"/><path class="iray" d="M15.5 1.5v1.8M22.5 8.5h-1.8M20.5 3.5l-1.3 1.3M10.5 3.5l1.3 1.3"/>`
	halfMoon   = `<path class="imoon" d="M16.6 2.2A5.6 5.6 0 1 0 21.4 9.8 4.6 4.6 0 0 1 16.6 2.2Z"/>`
	lowCloud   = `<path class="icloud near" d="M6.4 20.5a3.6 3.6 0 0 1-.3-7.2A5 5 0 0 1 15.5 12.5 4 4 0 0 1 16 20.5Z"/>`
	cloudShape = `<path class="icloud" d="M7 18a4 4 0 0 1-.4-8A5.5 5.5 0 0 1 17 9.2 4.4 4.4 0 0 1 17.6 18Z"/>`
	highCloud  = `<path class="icloud" d="M7 15a4 4 0 0 1-.4-8A5.5 5.5 0 0 1 17 6.2 4.4 4.4 0 0 1 17.6 15Z"/>`
)

// icons are the drawings of the sky.
var icons = map[string]string{
	"sun":          sunShape,
	"moon":         moonShape,
	"partly":       halfSun + lowCloud,
	"partly-night": halfMoon + lowCloud,
	"cloud":        cloudShape,
	"drizzle":      highCloud + `<path class="idrop" d="M9.5 18l-.5 1.5M15 18l-.5 1.5M12 20.5l-.5 1.5"/>`,
	"rain":         highCloud + `<path class="idrop" d="M8 17.5l-1.2 4M12.5 17.5l-1.2 4M17 17.5l-1.2 4"/>`,
	"snow":         highCloud + `<path class="iflake" d="M8 17.2v3.6M6.4 18.1l3.2 1.8M9.6 18.1l-3.2 1.8M16 17.2v3.6M14.4 18.1l3.2 1.8M17.6 18.1l-3.2 1.8M12 19.9v3.6M10.4 20.8l3.2 1.8M13.6 20.8l-3.2 1.8"/>`,
	"storm":        highCloud + `<path class="ibolt" d="M12.8 14.6 9.6 19h2.4l-1.2 4 4-5.2h-2.6l1.6-3.2Z"/>`,
	"fog":          `<path class="ifog" d="M4 7h13M7 11h13M3 15h14M8 19h11"/>`,
}

// skyWords are the skies in words, for screen readers.
var skyWords = texts.Part("sky")

// icon draws a sky; screen readers skip it: words say the same.
func icon(sky string) template.HTML {
	return template.HTML(`<svg class="ic" viewBox="0 0 24 24" aria-hidden="true">` + icons[sky] + `</svg>`)
}

// skyOf returns the icon of what OpenWeather says of the sky, "" if it says nothing.
// https://openweathermap.org/weather-conditions
func skyOf(r reading.Reading, night bool) string {
	summary, description := strings.ToLower(r.Text["summary"]), strings.ToLower(r.Text["description"])
	words := summary + " " + description
	switch {
	case strings.Contains(words, "thunder"):
		return "storm"
	case strings.Contains(words, "snow"), strings.Contains(words, "sleet"):
		return "snow"
	case strings.Contains(words, "drizzle"):
		return "drizzle"
	case strings.Contains(words, "rain"), strings.Contains(words, "squall"):
		return "rain"
	case strings.Contains(words, "few clouds"), strings.Contains(words, "scattered"):
		return pick(night, "partly-night", "partly")
	case strings.Contains(words, "cloud"), strings.Contains(words, "overcast"), strings.Contains(words, "tornado"):
		return "cloud"
	case strings.Contains(words, "clear"):
		return pick(night, "moon", "sun")
	case strings.TrimSpace(words) != "":
		return "fog" // mist, smoke, haze, dust, sand, ash
	}
	return ""
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
