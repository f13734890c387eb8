// steps.js
