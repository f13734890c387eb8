package local

import (
	"os"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver/browser"
)

// TestScreenshots writes the pictures of the README into the folder HEARTH_SCREENSHOTS: make
// screenshots. They are of make up with its sample data, once each tile has its history.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("HEARTH_SCREENSHOTS")
	if dir == "" {
		t.Skip("HEARTH_SCREENSHOTS is not set: make screenshots")
	}
	address := "http://" + launchAll(t).server.Addr + "/"
	b := browser.Start(t, address, 1920, 1080)
	for _, drawn := range []string{
		`document.querySelectorAll(".t-weather svg, .t-today li, .t-air b, .t-house a, .t-github b, .t-news li").length > 20`,
		`document.querySelectorAll("#tile-rooms .spark").length === 5`, // each room of the simulated sensors
		`document.querySelector("#tile-power").textContent.includes("yesterday")`,
		`document.querySelector("#tile-computers svg") !== null`,
		`document.querySelectorAll("#tile-stocks svg").length === 2`,
		`document.querySelector("#tile-curve").textContent.includes("year ago")`,
	} {
		b.Until(drawn)
	}
	b.Take(address, dir, browser.Shot{Name: "page", Width: 1920, Height: 1080}, browser.Shot{Name: "page-dark", Width: 1920, Height: 1080, Dark: true}, browser.Shot{Name: "phone", Width: 390, Height: 844})
}
