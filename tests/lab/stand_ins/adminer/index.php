<?php
// Adminer, whose form of the login names the server of ADMINER_DEFAULT_SERVER.
function adminer_object()
{
    class WithDefaultServer extends Adminer
    {
        public function loginFormField($name, $heading, $value)
        {
            $server = htmlspecialchars(getenv('ADMINER_DEFAULT_SERVER') ?: '');
            if ($name === 'server' && $server !== '') {
                $value = str_replace('value=""', "value=\"$server\"", $value);
            }
            return parent::loginFormField($name, $heading, $value);
        }
    }
    return new WithDefaultServer();
}

chdir('/usr/share/adminer/adminer');
require './index.php';
