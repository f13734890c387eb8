// actions.js
