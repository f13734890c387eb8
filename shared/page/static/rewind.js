// rewind.js
