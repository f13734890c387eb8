// kiosk.js
