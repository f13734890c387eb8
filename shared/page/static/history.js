// history.js
