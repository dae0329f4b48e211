console.log(require("@mono/text").text(require("@mono/sum").sum(1, 2)));
