exports.text = (value) => `sum: ${value}`;
