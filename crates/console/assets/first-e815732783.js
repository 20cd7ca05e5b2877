"use strict";(()=>{try{let e=localStorage.getItem("sluice.theme");(e==="dark"||e==="light")&&(document.documentElement.dataset.theme=e)}catch{}})();
