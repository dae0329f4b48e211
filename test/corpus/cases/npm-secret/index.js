console.log(require("@corp/private"));
