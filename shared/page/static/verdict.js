// verdict.js
