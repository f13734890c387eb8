// device.js
